"""The forms of the project, found in its code."""

import inspect
import pkgutil
from importlib import import_module

from django import forms

import portal.forms


def forms_of_ours() -> set[type[forms.BaseForm]]:
    """The forms that pages use; those with an underscore are the base of others."""
    found = set()
    for module in pkgutil.iter_modules(portal.forms.__path__):
        for _name, form in inspect.getmembers(import_module(f"portal.forms.{module.name}"), inspect.isclass):
            if issubclass(form, forms.BaseForm) and form.__module__ == f"portal.forms.{module.name}":
                found.add(form)
    return {form for form in found if not form.__name__.startswith("_")}
