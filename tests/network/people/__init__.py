"""What people do with their wallets and banks, on one network for all of these tests."""
