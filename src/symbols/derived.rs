//! Look-up files made from uploaded ones: made once by a worker, kept in a folder, mapped when used.
