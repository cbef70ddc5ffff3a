"""The commands that train models in the background, and the commands `deltawire runs …` that follow them."""
