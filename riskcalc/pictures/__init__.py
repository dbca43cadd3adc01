"""Pictures, declared as data and drawn by matplotlib, at the sizes of print."""
