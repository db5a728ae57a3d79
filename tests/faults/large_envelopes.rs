//! Many large envelopes at the same time, from clients of any speed.
