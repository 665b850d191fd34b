//! Slack: an incoming webhook. Its address is the secret.

use super::Post;

pub(super) fn post(secret: &str, form: &str) -> Result<Post, String> {
    if secret.is_empty() {
        return Err("its secret is empty; put the address of the incoming webhook there".to_owned());
    }
    Ok(Post { url: secret.to_owned(), body: form.to_owned() })
}
