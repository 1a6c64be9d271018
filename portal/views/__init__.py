"""Views: decorators say who and how, access finds the object, a door does the work, the view answers."""
