"""Exchange rates: imported day by day, picked by rule, frozen on documents with their source and date."""
