"""The REST API under /api/v1: one subject a file. Routes declare who may call them, and delegate."""
