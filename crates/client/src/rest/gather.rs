//! Pages that are larger than a server's, gathered from several.

use runledger_store::{Page, PageRequest};

/// A page in the making.
pub(super) struct Gather<T> {
    items: Vec<T>,
    wanted: u32,
    token: Option<String>,
    /// At most this many of one request.
    most: u32,
    is_begun: bool,
    is_done: bool,
}

impl<T> Gather<T> {
    pub(super) fn new(page: PageRequest, most: u32) -> Self {
        Self {
            items: Vec::new(),
            wanted: page.max_results,
            token: page.token,
            most,
            is_begun: false,
            is_done: page.max_results == 0,
        }
    }

    /// What is to be asked for next, if anything.
    pub(super) fn next(&self) -> Option<PageRequest> {
        let wanting = self.wanted.saturating_sub(self.count());
        let is_more = !self.is_begun || self.token.is_some();
        (!self.is_done && wanting > 0 && is_more).then(|| PageRequest {
            max_results: wanting.min(self.most),
            token: self.token.clone(),
        })
    }

    /// Adds what a server answered.
    pub(super) fn add(&mut self, page: Page<T>) {
        self.is_begun = true;
        // A page of nothing is the end, and so is one that leads to itself, whatever comes
        // with them: else it might be for ever.
        let leads_on = !page.items.is_empty() && page.next_token != self.token;
        self.is_done = !leads_on;
        self.items.extend(page.items);
        self.token = page.next_token.filter(|_| leads_on);
    }

    pub(super) fn page(self) -> Page<T> {
        Page {
            items: self.items,
            next_token: self.token,
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_page_is_made_of_small_ones() {
        let page = PageRequest {
            max_results: 5,
            token: None,
        };
        let mut gather = Gather::new(page, 2);
        let mut asked = Vec::new();
        while let Some(request) = gather.next() {
            let count = request.max_results;
            asked.push((count, request.token));
            gather.add(Page {
                items: vec![(); count as usize],
                next_token: Some(format!("after {}", asked.len())),
            });
        }
        let token = |text: &str| Some(text.to_owned());
        assert_eq!(
            asked,
            [(2, None), (2, token("after 1")), (1, token("after 2"))]
        );
        let page = gather.page();
        assert_eq!((page.items.len(), page.next_token), (5, token("after 3")));
    }

    #[test]
    fn a_page_of_nothing_is_the_end() {
        let page = PageRequest {
            max_results: 5,
            token: None,
        };
        let mut gather = Gather::<()>::new(page, 2);
        gather.add(Page {
            items: Vec::new(),
            next_token: Some("again".to_owned()),
        });
        assert_eq!(gather.next(), None);
        assert_eq!(gather.page().next_token, None);
    }

    #[test]
    fn a_page_that_leads_to_itself_is_the_end() {
        let page = PageRequest {
            max_results: 5,
            token: Some("again".to_owned()),
        };
        let mut gather = Gather::new(page, 2);
        gather.add(Page {
            items: vec![()],
            next_token: Some("again".to_owned()),
        });
        assert_eq!(gather.next(), None);
        assert_eq!(gather.page().next_token, None);
    }
}
