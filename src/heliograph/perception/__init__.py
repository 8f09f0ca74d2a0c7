"""Engines that read what `media` opened: text, order, layout, tables, barcodes. `reader.Reader` is the door."""
