"""Invented patients of every kind whose one hidden factor is known, and the training that must find it."""
