"""What is measured and tried out, through the product's own two walks: bench, machine figures, the demo workspace."""
