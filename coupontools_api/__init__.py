"""How the vendor talks. Knows no framework; the sandbox beside the client shares no code with it."""
