"""The extractor that asks a model: page images and read text in, values out, each looked for on the page afterwards.

    extraction = await extract(document, schema, request, backend, pictures, steps)      # extractor.py

pages go in windows that the model can take (windows), as messages whose beginning never changes (prompts); a reply is parsed as far as
it goes, continued and repaired (conversation, replies); the answers of windows become one (merging), rows are counted against the table
reader's (accounting); every value is found on the page (extraction.alignment) and weighed beside the embedded extractor's (combining).
"""
