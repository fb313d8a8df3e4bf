//! Every line: yes, no and unknown.
