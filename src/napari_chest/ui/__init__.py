"""The window: the only room that knows napari, Qt and magicgui."""
