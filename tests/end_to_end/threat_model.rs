//! The threat model names the test of each promise: they exist.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let mut named = 0;
    for word in document.split('`').skip(1).step_by(2) {
        let is_source = word.starts_with("src/") || word.starts_with("tests/");
        if !is_source {
            continue;
        }
        let (file, test) = word.split_once("::").unwrap_or((word, ""));
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let function = [format!("fn {test}("), format!("    {test}:")];
        assert!(test.is_empty() || function.iter().any(|begin| source.contains(begin)), "{word}");
        named += 1;
    }
    assert!(named > 40, "{named} tests");
}
