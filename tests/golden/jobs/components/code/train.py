print("a run")
