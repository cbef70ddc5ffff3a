"""The protocol Tesseract."""
