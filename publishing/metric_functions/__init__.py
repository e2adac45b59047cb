"""SQL functions of schema marts that answer questions by name: assets, creators, brands, the platform, events."""
