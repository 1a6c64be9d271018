"""What is true: people, agencies, customers, subaccounts, events. Knows no request and no template."""
