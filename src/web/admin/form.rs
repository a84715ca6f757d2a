//! A form as browsers send it, or the query of an address.

/// Pairs of names and values.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`; of anything else, nothing that anybody asks for.
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The value of the first field called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same, empty when there is none.
    pub(super) fn one(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}
