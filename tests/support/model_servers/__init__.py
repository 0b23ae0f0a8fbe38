"""Servers that behave like Gemini, Ollama and OpenAI-style endpoints, faults included; the official clients take them for real."""
