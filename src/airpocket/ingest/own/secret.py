"""A secret that shows itself to nobody who prints, formats, compares or copies it."""

from typing import NoReturn


class Secret:
    """Text that is only had by `reveal`; repr, str, format and JSON give ***."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: hand it to the signer, keep it nowhere."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not copied out")


def without(text: str, *secrets: Secret) -> str:
    """A message with every secret, and the query of every address, taken out."""
    for secret in secrets:
        if secret.reveal():
            text = text.replace(secret.reveal(), "***")
    return " ".join(map(_bare, text.split()))


def _bare(word: str) -> str:
    """An address without its query, where signatures stand."""
    return word.split("?", 1)[0] + "?***" if "://" in word and "?" in word else word
