//! Finds the end of a JSON value, fed piece by piece. It must not check the value: whoever parses it does.

/// A value that is being gone through.
#[derive(Default)]
pub(super) struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Scan {
    /// How many of `bytes` belong to the value, once its end is seen.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        for (i, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(i + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if self.depth == 0 && self.begun => return Some(i),
                b'"' => self.in_string = true,
                b'{' | b'[' if self.depth == 0 && self.begun => return Some(i),
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 0 => return Some(i),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(i + 1);
                    }
                }
                b',' if self.depth == 0 => return Some(i),
                b if self.depth == 0 && b.is_ascii_whitespace() => return Some(i),
                _ => {}
            }
            self.begun = true;
        }
        None
    }
    /// What has been fed may end where the text does: a number or a word.
    pub(super) fn scalar(&self) -> bool {
        self.begun && self.depth == 0 && !self.in_string
    }
}
