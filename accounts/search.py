"""The words by which customers are found."""

import re
import unicodedata
from collections.abc import Iterable

from accounts.models import Customer, SearchWord

LONGEST = 60


def plain(text: str) -> str:
    """A text without accents and case: Café is found as cafe."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(*texts: str) -> set[str]:
    """What each text is found by: the whole of it if it has no space, and every run of letters or digits in it."""
    found: set[str] = set()
    for text in texts:
        for part in plain(text).split():
            found.add(part[:LONGEST])
            found.update(word[:LONGEST] for word in re.findall(r"[^\W_]+", part))
    return found - {""}


def _rows(customer: Customer, words: Iterable[str]) -> list[SearchWord]:
    return [SearchWord(agency_id=customer.agency_id, customer=customer, word=word.encode()) for word in sorted(words)]


def index(customer: Customer, vendor_id: str = "") -> None:
    """Writes the words of a customer anew: name, people's names, address, the vendor's id."""
    SearchWord.objects.for_agency(customer.agency).filter(customer=customer).delete()
    words = words_of(customer.company_name, customer.first_name, customer.last_name, customer.email, vendor_id)
    SearchWord.objects.bulk_create(_rows(customer, words))


def add(customer: Customer, vendor_id: str) -> None:
    """Makes a customer findable by the vendor's id, with and without its prefix."""
    SearchWord.objects.bulk_create(_rows(customer, words_of(vendor_id)))
