"""The window of agreement: numbers, tables and plots. Loaded when it is first opened."""
