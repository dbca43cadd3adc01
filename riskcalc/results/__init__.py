"""What results have in common: their quantities, the numbers in them, and tables."""
