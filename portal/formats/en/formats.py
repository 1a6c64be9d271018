"""English as it is written in Europe: the day first, and hours of 24. The other languages have their own in Django."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "G:i"
DATETIME_FORMAT = "j M Y, G:i"
SHORT_DATE_FORMAT = "d/m/Y"
SHORT_DATETIME_FORMAT = "d/m/Y G:i"
MONTH_DAY_FORMAT = "j F"
FIRST_DAY_OF_WEEK = 1
