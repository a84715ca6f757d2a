//! The start page, the lists of summaries, and the page of each.

use super::{App, PublicDocument, crumb, schema};
use crate::domain::summary::StoredSummary;
use crate::domain::{Category, Result, Slug, Timestamp};
use crate::render::{
    CategoriesPage, CategoryContext, CategoryPage, Frame, HomePage, Pager, RemovedPage, ResearchPage,
    SummaryContext, SummaryPage,
};

/// Summaries on a page of a list.
const PAGE: i64 = 20;
/// Summaries on the start page.
const LATEST: i64 = 6;

/// The page of a summary, or what stands in its place.
#[derive(Debug)]
pub enum Shown {
    /// It is there.
    Summary(PublicDocument),
    /// It was removed; the page says why.
    Removed(String),
}

impl App {
    /// The start page.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn home_page(&self) -> Result<PublicDocument> {
        let (latest, _) = self.store.page_of_summaries(None, 0, LATEST).await?;
        let site = &self.config.site;
        self.public_page(&HomePage {
            frame: self
                .frame("./")
                .public("/", &site.tagline)
                .home()
                .with_feeds("all", &site.name)
                .with_data(&schema::website(site)),
            summaries: self.all_shown(&latest),
            categories: self.category_list().await?,
        })
    }

    /// Page `number` of all summaries, from 1.
    ///
    /// # Errors
    /// When there is no such page.
    pub async fn research_page(&self, number: i64) -> Result<PublicDocument> {
        let (summaries, pager) = self.page_of(None, number, "research").await?;
        let site = &self.config.site;
        let description = format!(
            "The latest summaries of research in plain language from {}.",
            site.name
        );
        self.public_page(&ResearchPage {
            frame: list_frame(self.frame("./"), "/research", &pager, &description)
                .here("research")
                .with_feeds("all", &site.name),
            crumbs: vec![crumb("Research", None)],
            summaries,
            pager,
        })
    }

    /// Every category.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn categories_page(&self) -> Result<PublicDocument> {
        let description = format!(
            "The categories of the research summaries from {}.",
            self.config.site.name
        );
        self.public_page(&CategoriesPage {
            frame: self
                .frame("./")
                .public("/categories", &description)
                .here("categories")
                .with_feeds("all", &self.config.site.name),
            crumbs: vec![crumb("Categories", None)],
            categories: self.category_list().await?,
        })
    }

    /// Page `number` of the summaries of the category `slug`, from 1.
    ///
    /// # Errors
    /// When there is no such category or page.
    pub async fn category_page(&self, slug: &str, number: i64) -> Result<PublicDocument> {
        let mut known = self.categories.iter();
        let category = known.find(|category| category.slug.as_str() == slug);
        let category: &Category = category.ok_or_else(|| self.nothing_here())?;
        let (summaries, pager) = self.page_of(Some(&category.slug), number, slug).await?;
        let counts = self.store.summaries_by_category().await?;
        let path = format!("/categories/{slug}");
        let title = format!("{}: {}", self.config.site.name, category.name);
        self.public_page(&CategoryPage {
            frame: list_frame(self.frame("../"), &path, &pager, &category.description)
                .here("categories")
                .with_feeds(slug, &title),
            crumbs: vec![
                crumb("Categories", Some("../categories".to_owned())),
                crumb(&category.name, None),
            ],
            category: CategoryContext {
                slug: slug.to_owned(),
                name: category.name.clone(),
                description: category.description.clone(),
                count: counts.get(slug).copied().unwrap_or_default(),
            },
            summaries,
            pager,
        })
    }

    /// The page of the summary `slug`; one that was retracted keeps it.
    ///
    /// # Errors
    /// When there never was such a summary.
    pub async fn summary_page(&self, slug: &str) -> Result<Shown> {
        let stored = self.stored(slug).await?;
        if let Some(removal) = &stored.removed {
            let page = RemovedPage::new(self.frame("../"), &removal.note, removal.at);
            return Ok(Shown::Removed(self.templates.page(&page)?));
        }
        let summary = self.shown(&stored);
        let back = summary.categories.iter().find(|link| link.has_page).cloned();
        let mut crumbs = vec![crumb("Research", Some("../research".to_owned()))];
        if let Some(main) = &back {
            crumbs.push(crumb(&main.name, Some(format!("../categories/{}", main.slug))));
        }
        crumbs.push(crumb(&summary.item.title, None));
        let site = &self.config.site;
        let mut frame = self
            .frame("../")
            .public(
                &format!("/research/{}", stored.summary.slug),
                &summary.description(),
            )
            .with_data(&schema::summary(site, &stored, &summary));
        frame.head.kind = "article";
        frame = match &back {
            Some(main) => frame.with_feeds(&main.slug, &format!("{}: {}", site.name, main.name)),
            None => frame.with_feeds("all", &site.name),
        };
        let page = SummaryPage {
            frame,
            crumbs,
            summary,
            back,
        };
        Ok(Shown::Summary(self.public_page(&page)?))
    }

    /// The summary `slug`, also one that was removed.
    pub(super) async fn stored(&self, slug: &str) -> Result<StoredSummary> {
        let slug = Slug::parse(slug).map_err(|_| self.nothing_here())?;
        self.store.summary(&slug).await
    }

    fn all_shown(&self, summaries: &[StoredSummary]) -> Vec<SummaryContext> {
        summaries.iter().map(|stored| self.shown(stored)).collect()
    }

    /// Page `number` of a list; `path` leads from it to its first page.
    async fn page_of(
        &self,
        category: Option<&Slug>,
        number: i64,
        path: &str,
    ) -> Result<(Vec<SummaryContext>, Pager)> {
        let before = number.checked_sub(1).and_then(|before| before.checked_mul(PAGE));
        let before = before
            .filter(|&before| before >= 0)
            .ok_or_else(|| self.nothing_here())?;
        let (summaries, total) = self.store.page_of_summaries(category, before, PAGE).await?;
        let count = (total + PAGE - 1).div_euclid(PAGE).max(1);
        if number > count {
            return Err(self.nothing_here());
        }
        Ok((self.all_shown(&summaries), Pager::new(path, number, count)))
    }
}

/// The frame of one page of a list.
pub(super) fn list_frame(frame: Frame, path: &str, pager: &Pager, description: &str) -> Frame {
    let path = match pager.number {
        1 => path.to_owned(),
        number => format!("{path}?page={number}"),
    };
    let mut frame = frame.public(&path, description);
    frame.head.previous.clone_from(&pager.previous);
    frame.head.next.clone_from(&pager.next);
    frame
}

/// The day of `time` in UTC, such as `2026-01-02`.
pub(super) fn iso_day(time: Timestamp) -> String {
    time.utc().format("%Y-%m-%d").to_string()
}
