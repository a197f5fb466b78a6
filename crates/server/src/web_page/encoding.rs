//! Which of a file's forms a client takes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// As `Content-Encoding` says it.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Brotli => Some("br"),
            Encoding::Gzip => Some("gzip"),
            Encoding::Identity => None,
        }
    }

    /// What the web build adds to the file's name.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Encoding::Brotli => ".br",
            Encoding::Gzip => ".gz",
            Encoding::Identity => "",
        }
    }
}

/// The forms that an `Accept-Encoding` takes, the best liked first, the smaller of equals. The plain one is always
/// among them: a client that refuses it would get nothing at all.
pub(super) fn accepted(header: &str) -> Vec<Encoding> {
    let quality = |wanted: &str| {
        let entry = header.split(',').find_map(|entry| {
            let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            name.trim().eq_ignore_ascii_case(wanted).then_some(parameters)
        })?;
        let q = entry.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        Some(q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0)))
    };
    let mut forms: Vec<(f32, Encoding)> = [("br", Encoding::Brotli), ("gzip", Encoding::Gzip)]
        .into_iter()
        .map(|(name, form)| (quality(name).or_else(|| quality("*")).unwrap_or(0.0), form))
        .filter(|(quality, _)| *quality > 0.0)
        .collect();
    forms.sort_by(|a, b| b.0.total_cmp(&a.0));
    forms.into_iter().map(|(_, form)| form).chain([Encoding::Identity]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Encoding::*, *};

    #[test]
    fn the_best_liked_form_comes_first() {
        for (header, forms) in [
            ("", vec![Identity]),
            ("gzip, deflate, br, zstd", vec![Brotli, Gzip, Identity]),
            ("gzip", vec![Gzip, Identity]),
            ("GZIP;q=1.0, br;q=0.5", vec![Gzip, Brotli, Identity]),
            ("br;q=0, gzip", vec![Gzip, Identity]),
            ("*", vec![Brotli, Gzip, Identity]),
            ("*;q=0, br", vec![Brotli, Identity]),
            ("br;q=nonsense", vec![Identity]),
            ("identity;q=0", vec![Identity]),
            (";;,,=q", vec![Identity]),
        ] {
            assert_eq!(accepted(header), forms, "{header}");
        }
    }
}
