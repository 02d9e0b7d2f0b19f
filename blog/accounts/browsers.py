"""What a browser says of itself, in words that its owner recognises."""

# First match wins: most browsers also call themselves by the names of others.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
             ("CriOS", "Chrome"), ("Chromium", "Chromium"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"), ("python", "A Python program"))
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"), ("Mac OS", "macOS"),
            ("Linux", "Linux"))

# Of a program that nobody knows, as much as fits a line.
_LONGEST = 40


def name_of(user_agent: str) -> str:
    """"Firefox on Linux"; for a program nobody knows, the beginning of what it says."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or user_agent[:_LONGEST].strip() or "A browser that does not say its name"
