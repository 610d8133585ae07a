"""How this machine's own programs know the receiver when it speaks TLS: by the very certificate that it was given."""

from __future__ import annotations

import ssl

from spandeck_collector.settings import Settings


def own_tls(settings: Settings) -> ssl.SSLContext | None:
    """Trusts the certificate of the settings and no other, under whatever name; None where they name none.

    Raises `OSError` for a file that cannot be read or is no certificate.
    """
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # It is asked for at its address; the certificate may be for the name that others use.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(settings.tls_certificate)
    return context
