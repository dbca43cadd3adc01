"""The formula layer: symbols, nodes, expectations, and the record of a formula."""
