"""What in docs/ is made by a program: the configuration reference, the wiring drawings, the power budget's plots.

    make docs                       write them anew from lib/, boards/ and power-times.tsv
    make docs SIMULATE=1            measure power-times.tsv anew first (a minute)
    make docs-links                 every relative link and anchor of every .md file

A test compares what is in docs/ with what would be written, so a page cannot fall behind the code it describes.
"""
