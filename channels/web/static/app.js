// Small helps for citizens and operators. Every page works without them.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);

  // Large type without leaving the page, kept for a year.
  const toggle = $("[data-size]");
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", (event) => {
      event.preventDefault();
      const large = document.documentElement.classList.toggle("large");
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `size=${large ? "large" : "normal"}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
      toggle.textContent = large ? "标准字号" : "大字版";
    });
  }

  // What went wrong is read first.
  $("[data-focus]")?.focus();

  // A second press does nothing while the first is on its way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const button = event.submitter;
    if (button?.dataset.busy) button.textContent = button.dataset.busy;
    setTimeout(() => { delete form.dataset.sent; }, 20000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  // The square code carries the query code behind #, which never leaves the browser; take it out of the address.
  const search = $("[data-search]");
  const carried = /^#code=(\d{6})$/.exec(location.hash);
  if (search && carried) {
    search.elements.code.value = carried[1];
    history.replaceState(null, "", location.pathname + location.search);
  }

  const report = $("[data-report]");
  if (report) {
    position(report);
    photos(report);
  }

  function position(form) {
    const box = $("[data-position]", form);
    const word = $("[data-locate-word]", form);
    const drop = $("[data-unlocate]", form);
    const lon = $("[data-lon]", form);
    const lat = $("[data-lat]", form);
    if (!("geolocation" in navigator) || !window.isSecureContext) return;
    box.hidden = false;
    drop.hidden = !lon.value;
    $("[data-locate]", form).addEventListener("click", () => {
      word.textContent = "正在定位…";
      navigator.geolocation.getCurrentPosition((found) => {
        lon.value = found.coords.longitude.toFixed(6);
        lat.value = found.coords.latitude.toFixed(6);
        word.textContent = `已附上定位，误差约 ${Math.round(found.coords.accuracy)} 米`;
        drop.hidden = false;
      }, () => {
        word.textContent = "没有得到定位，请填写文字位置。";
      }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
    });
    drop.addEventListener("click", () => {
      lon.value = lat.value = "";
      word.textContent = "已去掉定位";
      drop.hidden = true;
    });
  }

  function photos(form) {
    const input = form.elements.photos;
    const list = $("[data-previews]", form);
    const fault = $("[data-photo-fault]", form);
    const most = Number(form.dataset.maxPhotos);
    const megabytes = Number(form.dataset.maxMb);
    input.addEventListener("change", () => {
      for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
      const files = [...input.files];
      const big = files.findIndex((file) => file.size > megabytes * 1024 * 1024);
      const message = files.length > most ? `照片最多 ${most} 张。`
        : big >= 0 ? `第 ${big + 1} 张照片超过 ${megabytes} MB，请换一张。` : "";
      fault.textContent = message;
      fault.hidden = !message;
      input.setCustomValidity(message);
      list.replaceChildren(...files.slice(0, most).map(preview));
      list.hidden = files.length === 0;
    });
  }

  function preview(file) {
    const item = document.createElement("li");
    const picture = document.createElement("img");
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    // Most browsers cannot show HEIC; its name does.
    picture.addEventListener("error", () => picture.replaceWith(file.name));
    item.append(picture);
    return item;
  }
})();
