"""Language models: from the weights and the metadata of a file to text."""
