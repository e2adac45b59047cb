"""Rights of persons: erasure, export and withdrawn consent of the subjects of events and of the product's tables."""
