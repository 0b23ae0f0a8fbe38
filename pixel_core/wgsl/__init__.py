"""The WGSL front end: text to tree, names, types, layout and interface. Pure; knows no engine."""
