"""People at two banks, on networks that they share: nobody harms them here."""
