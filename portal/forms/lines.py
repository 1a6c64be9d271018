"""A text of several lines."""

from typing import Any

from django import forms


class LinesField(forms.CharField):
    """Counts the end of a line once, as the browser does that let the text through: forms send it as two letters."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        return super().to_python(str(value).replace("\r\n", "\n") if value is not None else value)
