"""Room: recordings as files. What one looks like, its key, how it is read and given out.

`file_format` is the bytes, `keys` who can open them, `reader` plays a part of a file or proves all
of it, `export` writes WAV and Opus with a manifest. Who may do so is not decided here; what goes
into a file comes from `switch.media.recorder`. Start with `file_format.py`.
"""
