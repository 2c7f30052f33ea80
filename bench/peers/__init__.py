"""Other S3 clients behind one small interface, a file each, so that they can be measured beside stepstore."""
