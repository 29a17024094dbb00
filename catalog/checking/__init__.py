"""What may be configured: pure checks of what people and documents say, each error a sentence for a person."""
