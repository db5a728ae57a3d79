//! How the values of tags are distributed over an issue's events.

use askama::Template;

use crate::chrome::{Chrome, Project};
use crate::issue_head::IssueHead;
use crate::page::{Page, RenderError};

/// Parts of a bar that are told apart; what is left is the others.
const SEGMENTS_MAX: usize = 4;

/// A tag with its most frequent values.
#[derive(Debug, Clone)]
pub struct TagShare {
    /// The tag.
    pub key: String,
    /// Its most frequent values first.
    pub values: Vec<TagValue>,
    /// How many more values there are.
    pub hidden: u64,
}

/// A value of a tag.
#[derive(Debug, Clone)]
pub struct TagValue {
    /// The value.
    pub value: String,
    /// Events that have it.
    pub events: u64,
    /// These in percent of those with the tag, 0 to 100.
    pub percent: u8,
    /// Address of the issues that have it too.
    pub url: String,
}

impl TagShare {
    /// Beginning and width of each part of the bar, in percent.
    pub(crate) fn segments(&self) -> Vec<(u8, u8)> {
        let mut start = 0_u8;
        let mut segments = Vec::new();
        for value in self.values.iter().take(SEGMENTS_MAX) {
            let width = value.percent.min(100 - start);
            segments.push((start, width));
            start += width;
        }
        segments
    }
}

/// `/{organization}/{project}/issues/{short_id}/tags/`.
#[derive(Debug, Clone, Template)]
#[template(path = "issue_tags.html")]
pub struct IssueTags {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The issue.
    pub head: IssueHead,
    /// All its tags.
    pub tags: Vec<TagShare>,
}

impl Page for IssueTags {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_bar_never_exceed_it() {
        let value =
            |percent| TagValue { value: String::new(), events: 1, percent, url: String::new() };
        let share = |percents: &[u8]| TagShare {
            key: "os".to_owned(),
            values: percents.iter().map(|percent| value(*percent)).collect(),
            hidden: 0,
        };
        assert_eq!(share(&[51, 50, 9]).segments(), [(0, 51), (51, 49), (100, 0)]);
        assert_eq!(share(&[20; 6]).segments().len(), SEGMENTS_MAX);
        assert_eq!(share(&[]).segments(), []);
    }
}
