"""Questions asked of many predictions, by the public functions alone."""
