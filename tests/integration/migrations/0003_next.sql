-- The version after this one, for test_epoch.py: it knows one epoch more.
UPDATE head SET format = 3;
