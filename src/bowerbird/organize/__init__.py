"""What things are and belong to, beyond what their sources say of them."""
