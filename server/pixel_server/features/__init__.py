"""What the editor shows and asks for, one file a feature: functions of a frozen view."""
