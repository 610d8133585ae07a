"""Certificate and key of the receiver's ports, checked before anything listens."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from spandeck_collector.settings import Settings, SettingsError


@dataclass(frozen=True)
class Tls:
    """What the two servers need: a context for HTTP, credentials for gRPC."""

    context: ssl.SSLContext
    grpc_credentials: Any


def load_tls(settings: Settings) -> Tls | None:
    """The TLS of the settings, None where they name no certificate.

    Raises `SettingsError` for files that cannot be read, that do not belong together, or a key with a password.
    """
    if not settings.tls_certificate or not settings.tls_key:
        return None
    certificate, key = _read(settings, "tls_certificate"), _read(settings, "tls_key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"SPANDECK_TLS_CERTIFICATE ({settings.tls_certificate}) and SPANDECK_TLS_KEY ({settings.tls_key}) "
            "cannot be used: they must be a PEM certificate and its own PEM key without a password."
        ) from error
    return Tls(context, grpc.ssl_server_credentials([(key, certificate)]))


def _read(settings: Settings, name: str) -> bytes:
    path = getattr(settings, name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"SPANDECK_{name.upper()} is {path!r}, which cannot be read: {error.strerror}.") from error
