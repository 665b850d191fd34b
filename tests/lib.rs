//! The tests of the whole house; the code is in the files beside this one.
