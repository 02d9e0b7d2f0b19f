from hypothesis import settings

# How long one example takes says something about the machine, nothing about the text.
settings.register_profile("text", deadline=None)
settings.load_profile("text")
