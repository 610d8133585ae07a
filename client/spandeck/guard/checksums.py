"""The check digits that tell a card or an account from any other number."""

import string
from typing import Final

# Length of an IBAN by country. Source: SWIFT, IBAN registry (ISO 13616), release 97.
IBAN_LENGTHS: Final = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FK FI FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}
_VALUES: Final = {character: str(value) for value, character in enumerate(string.digits + string.ascii_uppercase)}
# Lengths of card numbers by how they begin. Source: the issuers' ranges in ISO/IEC 7812 practice.
_CARD_LENGTHS: Final = (
    (("4",), (13, 16, 19)),
    (("51", "52", "53", "54", "55", "22", "23", "24", "25", "26", "27", "35"), (16,)),
    (("34", "37", "1800", "2131"), (15,)),
    (("300", "301", "302", "303", "304", "305", "36", "38", "39"), (14,)),
    (("6", "50", "56", "57", "58"), (13, 14, 15, 16, 17, 18, 19)),
)


def luhn(digits: str) -> bool:
    """True where the last digit is the check digit of those before (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """True for a number that begins and is as long as an issuer's cards, with the right check digit."""
    known = any(digits.startswith(starts) and len(digits) in lengths for starts, lengths in _CARD_LENGTHS)
    return known and len(set(digits)) > 1 and luhn(digits)


def is_iban(account: str) -> bool:
    """True for an IBAN without spaces, in capitals: its country's length and remainder 1 (ISO 7064, mod 97-10)."""
    if IBAN_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(_VALUES[character] for character in account[4:] + account[:4])) % 97 == 1
